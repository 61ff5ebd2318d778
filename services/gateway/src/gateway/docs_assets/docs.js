// Shows the published document. Everything it needs is served from here.
window.addEventListener("load", () => {
  SwaggerUIBundle({
    url: "/v1/openapi.json",
    dom_id: "#docs",
    deepLinking: true,
    docExpansion: "list",
    filter: true,
    persistAuthorization: false,
    // Without this the page would ask validator.swagger.io for a badge.
    validatorUrl: null,
  });
});
