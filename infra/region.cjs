// The framework reads functions from CommonJS only; what it is to know stands in region.ts.
const { findRegion } = require('./region.ts');

// Packaging needs no region, but the framework takes none that is not there. Where one is needed, plugin.ts says that it is missing.
module.exports = ({ options }) => findRegion(options) ?? 'us-east-1';
