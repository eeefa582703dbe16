"""Codes sent by SMS or e-mail: six digits, ten minutes, five tries, good for one address in one sign-in.

SMS is a restricted authenticator (SP 800-63B-4 §3.2.9) and says so; an e-mail code lifts nothing (MODEL §8).
"""
