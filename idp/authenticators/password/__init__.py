"""The password: policies as data, argon2id behind a bounded semaphore, the sign-in page, the reset by mail."""
