"""What clients of OpenAI send and read: chats in, messages with citations out."""
