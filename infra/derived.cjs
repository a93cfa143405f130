// The framework reads functions from CommonJS only; what it is to know stands in parameters.ts.
const { derive } = require('./parameters.ts');

module.exports = derive;
