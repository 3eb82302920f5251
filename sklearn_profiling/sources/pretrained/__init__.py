"""Pretrained models of text and images, read from local folders."""
