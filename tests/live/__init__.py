"""`make live`: against a real AWS account, the points that no emulator settles."""
