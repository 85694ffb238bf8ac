"""Backup and restore of the database: one encrypted file, and the copies that lie beside the database."""
