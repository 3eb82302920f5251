"""Jieba's dictionary, read without side effects, and its segmentation, compiled."""
