using Microsoft.AspNetCore.Http.Features;

namespace FailoverHub.Web.Access;

/// <summary>What every answer tells browsers, and which requests of browsers are refused whatever cookie they carry.</summary>
internal static class BrowserGuards
{
    // Styles need 'unsafe-inline' because MudBlazor writes style attributes. A page's WebSocket to its own host is 'self'.
    private const string ContentSecurityPolicy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; font-src 'self'; connect-src 'self'; "
        + "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static Task AddHeaders(HttpContext context, RequestDelegate next)
    {
        context.Response.OnStarting(static state =>
        {
            var response = (HttpResponse)state;
            IHeaderDictionary headers = response.Headers;
            headers.ContentSecurityPolicy = ContentSecurityPolicy;
            headers.XContentTypeOptions = "nosniff";
            headers.XFrameOptions = "DENY";
            // Not "no-referrer": browsers would then send "Origin: null" with our own forms.
            headers["Referrer-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            headers["Cross-Origin-Resource-Policy"] = "same-origin";
            headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";
            if (headers.CacheControl.Count == 0)
            {
                // Everything but static files is the present, or a secret.
                headers.CacheControl = "no-store";
            }

            return Task.CompletedTask;
        }, context.Response);
        return next(context);
    }

    /// <summary>
    /// Another page on this machine (same host, other port) counts as the same site, so its requests carry our cookie; WebSockets know no
    /// CORS either. Browsers do say where such a request comes from.
    /// </summary>
    public static Task RefuseForeignOrigin(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        bool matters = IsForCircuits(context) || !(HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method));
        string origin = request.Headers.Origin.ToString();
        if (!matters || origin.Length == 0 || IsOwn(origin, request.Host))
        {
            return next(context);
        }

        return TypedResults.Problem(
            "This request comes from a page of another origin.", statusCode: StatusCodes.Status403Forbidden, title: "Refused").ExecuteAsync(context);
    }

    // Not WebSockets.IsWebSocketRequest: that is only known behind the WebSocket middleware, which stands inside the circuits' endpoint.
    private static bool IsForCircuits(HttpContext context) =>
        context.Request.Path.StartsWithSegments("/_blazor")
        || context.Features.Get<IHttpUpgradeFeature>() is { IsUpgradableRequest: true }
        || context.Features.Get<IHttpExtendedConnectFeature>() is { IsExtendedConnect: true };

    /// <summary>Pure: whether an Origin header names the host that the request was sent to. The scheme may differ behind a proxy that ends TLS.</summary>
    public static bool IsOwn(string origin, HostString host) =>
        Uri.TryCreate(origin, UriKind.Absolute, out Uri? uri)
        && uri.Scheme is "http" or "https"
        && string.Equals(uri.IsDefaultPort ? uri.Host : $"{uri.Host}:{uri.Port}", WithoutDefaultPort(uri, host), StringComparison.OrdinalIgnoreCase);

    private static string WithoutDefaultPort(Uri origin, HostString host) =>
        host.Port is { } port && port == (origin.Scheme == "https" ? 443 : 80) ? host.Host : host.Value ?? "";

    /// <summary>The URL if it stays on this host, else the start page. "//host" and "/\host" leave it.</summary>
    public static string LocalOrHome(string? url) =>
        url is { Length: > 0 and <= 2_000 } && url[0] == '/' && (url.Length == 1 || url[1] is not ('/' or '\\')) && !url.Any(char.IsControl) ? url : "/";
}
