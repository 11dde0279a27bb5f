"""List the sources of images by name; `convert_dataset.py` takes the first that fits, or --source.

Add yours as one more line: `'mine': 'project.sources.mine:Mine'`. Those of extras/ come after
yours, and `folder`, which fits every folder, comes last.
"""

SOURCES = {
    'csv': 'library.preparation.sources.csv_file:CsvFile',
    'json_lines': 'library.preparation.sources.json_lines:JsonLines',
    'webdataset': 'library.preparation.sources.webdataset:WebDataset',
    'tfrecord': 'library.preparation.sources.tfrecord:TFRecord',
    'names': 'library.preparation.sources.named_files:NamedFiles',
    'folder': 'library.preparation.sources.folder:Folder',
}
