"""Provider wrappers: retry, rate limit, budget, circuit breaker, timeout and answer cache."""
