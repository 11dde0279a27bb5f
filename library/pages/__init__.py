"""Make self-contained HTML pages: template, charts, pictures, short texts."""
