"""Jieba's segmentation, compiled."""
