"""The rules of deadlines 时限 and reports 报送; pure."""
