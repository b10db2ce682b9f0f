"""A machine's first start: answers that lie ready, else a dialogue on the console beside a page over HTTPS."""
