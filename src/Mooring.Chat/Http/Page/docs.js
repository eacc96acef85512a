'use strict';
fetch('/openapi.json').then(answer => answer.json()).then(api => {
  for (const [path, methods] of Object.entries(api.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      const item = document.createElement('li');
      const name = document.createElement('b');
      name.textContent = `${method.toUpperCase()} ${path}`;
      const query = operation.parameters.map(parameter => parameter.name);
      const schema = operation.requestBody && operation.requestBody.content['application/json'].schema;
      const body = schema ? Object.keys(schema.properties).map(key => schema.required.includes(key) ? key : `${key}?`) : [];
      const takes = [query.length ? `parameters ${query.join(', ')}` : '', body.length ? `body ${body.join(', ')}` : ''].filter(Boolean);
      item.append(name, document.createTextNode([operation.summary, ...takes].join(' ')));
      document.getElementById('messages').append(item);
    }
  }
});
