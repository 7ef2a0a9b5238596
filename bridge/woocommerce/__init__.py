"""The engine that asks stores for their customers, over WooCommerce's REST API.

``client`` says what is asked for whom, ``rest`` asks, ``answers`` has the answers' shapes,
``profile`` makes of them what the app shows.
"""
