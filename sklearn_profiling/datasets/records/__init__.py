"""Records: users as lines of JSON or rows of Parquet."""
