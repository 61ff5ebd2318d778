"""The dossier of a project as a document to read and print."""
