"""The rules of notifications 通知; pure."""
