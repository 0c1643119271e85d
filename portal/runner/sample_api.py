"""The API that the demo publishes, as an OpenAPI document."""

SAMPLE_NAME = "Bookshop"
SAMPLE_CONTEXT = "/bookshop"
SAMPLE_VERSION = "1.0.0"
SAMPLE_SCOPES = ("books:read", "books:order")

SAMPLE_DEFINITION = """
openapi: 3.1.0
info:
  title: Bookshop
  version: 1.0.0
  description: A small shop, to try the portal with.
paths:
  /books:
    get:
      operationId: listBooks
      summary: All books
      security: [{shop: [books:read]}]
      responses:
        "200": {description: Every book}
    post:
      operationId: orderBook
      summary: Order a book
      security: [{shop: [books:order]}]
      responses:
        "201": {description: Ordered}
  /books/{id}:
    get:
      operationId: readBook
      summary: One book
      security: [{shop: [books:read]}]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer}}
      responses:
        "200": {description: The book}
        "404": {description: No such book}
  /status:
    get:
      operationId: status
      summary: Whether the shop is open
      security: []
      responses:
        "200": {description: Open}
components:
  securitySchemes:
    shop:
      type: oauth2
      flows:
        clientCredentials:
          tokenUrl: https://replaced.invalid/token
          scopes:
            books:read: Read the catalogue
            books:order: Order books
"""
