"""The client. Bots import it from `memlane.client`.

`memory_client.py` is what they see; `link.py` keeps the connection; `command_sender.py` and
`question_sender.py` put several commands or gets into one message; `receipt_book.py` collects receipts.
"""
