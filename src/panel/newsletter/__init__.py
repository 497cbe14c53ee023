"""The newsletter: weekly issues, subscribers and the links in their mails, and sending by SMTP."""
