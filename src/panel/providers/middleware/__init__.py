"""Middleware around a provider: timeout, cost tracking, budget, rate limit, retry, circuit breaker and answer cache."""
