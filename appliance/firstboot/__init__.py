"""Configure a machine at its first start.

Prepared answers are used if there are any. Otherwise the console asks, and at the same time a page
over HTTPS.
"""
