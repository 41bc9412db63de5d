"""The site file: what a hospital may change without touching the product."""
