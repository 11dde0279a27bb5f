"""Options to an Estimator, and a program around it: sessions, devices, start-up, exit codes."""
