"""Make HTML pages that hold everything in themselves: template, charts, pictures, short texts."""
