"""OpenAI's SDK: the Responses API, and the chat completions that many other servers offer in its image.

Each provider is a thin shell around a pair of pure functions: prompt to request, answer to completion.
"""
