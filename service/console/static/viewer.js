// Copyright The dataservice Authors
// SPDX-License-Identifier: MPL-2.0

// Shows an OpenAPI document with Swagger UI. Calls are tried out on the pages of the catalog.
"use strict";

const element = document.getElementById("openapi");
SwaggerUIBundle({
  url: element.dataset.document,
  domNode: element,
  presets: [SwaggerUIBundle.presets.apis],
  layout: "BaseLayout",
  supportedSubmitMethods: [],
  validatorUrl: null,
  defaultModelsExpandDepth: 0,
  queryConfigEnabled: false,
});
