"""Messaging: what people are told, written in the transaction of what happened and sent by the worker.

Invariants: recipients are the stored addresses, never typed ones; payloads are sealed and wiped after delivery;
a worker killed between sending and marking repeats, never loses.
"""
