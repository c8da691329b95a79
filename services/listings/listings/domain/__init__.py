"""The rules of listings 供需信息 and rounds 期次; pure."""
