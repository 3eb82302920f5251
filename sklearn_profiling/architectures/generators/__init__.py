"""Architectures that write or read profiles with pretrained language models."""
