"""Make an Estimator of options, and a program around it: sessions, devices, exit codes."""
