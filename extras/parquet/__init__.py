"""Read Parquet files of images; needs pyarrow, which the project does not install."""
