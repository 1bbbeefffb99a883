console.log('Node', process.versions.node, 'for', process.env.NODE_ENV);
