// Validates the OpenAPI file that is named, as users of the format would.
import SwaggerParser from '@apidevtools/swagger-parser'

const api = await SwaggerParser.validate(process.argv[2])
console.log(`valid: OpenAPI ${api.openapi}, ${Object.keys(api.paths).length} paths`)
