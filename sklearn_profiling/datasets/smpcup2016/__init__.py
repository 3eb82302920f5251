"""The format of SMP CUP 2016."""
