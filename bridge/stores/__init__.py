"""The engine that calls stores, and what every call to a store goes by: where it goes
(``addresses``), over which connection (``line``), and how it is made (``exchange``)."""
