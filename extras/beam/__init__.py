"""Convert on Apache Beam, for more images than one machine should convert."""
