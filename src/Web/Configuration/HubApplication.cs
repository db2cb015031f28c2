using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Proxies;
using FailoverHub.Web.Agents;
using FailoverHub.Web.Alerts;
using FailoverHub.Web.Api;
using FailoverHub.Web.Api.Repeats;
using FailoverHub.Web.Components;
using FailoverHub.Web.Data;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Telemetry;
using FailoverHub.Web.Telemetry.Traces;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace FailoverHub.Web.Configuration;

/// <summary>
/// Puts the hub together: every room has one Add… call, one Map… call, or both. Tests build it the same way, with port 0.
/// </summary>
internal static class HubApplication
{
    /// <summary>From Ctrl-C to the end of the process, open streams and browsers included, in two seconds at most.</summary>
    private static readonly TimeSpan ShutdownTimeout = TimeSpan.FromSeconds(1.5);

    public static WebApplication Build(HubOptions options, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = WebApplication.CreateBuilder(new WebApplicationOptions
        {
            // Not the folder that the command was typed in: the files are beside the executable.
            ContentRootPath = AppContext.BaseDirectory,
            ApplicationName = typeof(HubApplication).Assembly.GetName().Name,
        });

        // Without this the output of a build, as opposed to a publish, serves a page without styles and scripts.
        builder.WebHost.UseStaticWebAssets();
        builder.WebHost.ConfigureKestrel(kestrel => Listen(kestrel, options));
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = ShutdownTimeout);
        AddLogging(builder.Logging);

        builder.Services.AddSingleton(options);
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddSingleton(new Operations.Rules.OperationLimits { MovesInARow = options.MovesAMinute, TwoPerson = options.TwoPerson });

        builder.Services.AddHubCore(options.DataDirectory, options.Database, options.Agents);
        builder.Services.AddHubAccess(options.Provider);
        ForwardedRequests.Add(builder.Services);
        builder.Services.AddHubApi();
        builder.Services.AddHubReachability();
        builder.Services.AddHubAlerts();
        builder.Services.AddHubHealth();
        builder.Services.AddHubTelemetry();
        builder.Services.AddHubTraces(options.TraceEndpoint);
        builder.Services.AddDashboard();

        configure?.Invoke(builder);
        WebApplication app = builder.Build();

        ForwardedRequests.Use(app, options.TrustedProxies);
        app.UseExceptionHandler();
        app.Use(BrowserGuards.AddHeaders);
        app.UseRouting();
        app.Use(RefuseOtherPort);
        app.Use(BrowserGuards.RefuseForeignOrigin);

        // Before authentication: looking a token or a session up is the work that is bounded.
        app.UseRateLimiter();
        app.UseAuthentication();
        app.UseAuthorization();

        // Behind those: a key belongs to whoever sent it, and what was refused there was never begun.
        app.UseMiddleware<IdempotencyKey>();
        app.UseAntiforgery();

        app.MapHubHealth();
        app.MapHubTelemetry();
        app.MapHubAccess();
        app.MapHubApi();

        // Anonymous to the dashboard's way of signing in; AgentGate asks each call for its certificate.
        app.MapGroup("").WithMetadata(ServedOn.Agents).AllowAnonymous().MapAgents();
        app.MapStaticAssets().AllowAnonymous();
        app.MapDashboard();
        return app;
    }

    private static void AddLogging(ILoggingBuilder logging)
    {
        logging.ClearProviders();
        logging.AddSimpleConsole(console =>
        {
            console.SingleLine = true;
            console.UseUtcTimestamp = true;
            console.TimestampFormat = "yyyy-MM-ddTHH:mm:ss.fffZ ";
        });
        Quieten(logging);
    }

    /// <summary>What the frameworks say that is no news to an operator, or that somebody else decides the number of.</summary>
    internal static void Quieten(ILoggingBuilder logging)
    {
        logging.AddFilter("Microsoft", LogLevel.Warning);
        logging.AddFilter("Grpc", LogLevel.Warning);

        // Entity Framework tells each fault of the database with its SQL or its stack trace, also to whoever expects it and tries again. Whoever catches it tells it, and what nobody catches ASP.NET tells.
        logging.AddFilter(HubDatabase.LogCategory, level => level is LogLevel.Warning or LogLevel.Critical);

        // gRPC tells each message that is none with its stack trace, as often as one is sent. What a node does wrong NodeComplaints tells, a defect of ours AgentGate.
        logging.AddFilter("Grpc.AspNetCore.Server.ServerCallHandler", LogLevel.None);

        // ASP.NET tells two lines of each request that is not let in. Whoever is not let in must not fill the log; the audit has it.
        logging.AddFilter(typeof(Access.Tokens.ApiTokenHandler).FullName, LogLevel.Warning);

        // HubRunner says in one sentence why the hub did not start; the stack trace says nothing more to an operator.
        logging.AddFilter("Microsoft.Extensions.Hosting.Internal.Host", LogLevel.Critical);

        // The data folder's own rights (0700) protect the keys; the warning that nothing else does is known.
        logging.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error);
    }

    private static void Listen(KestrelServerOptions kestrel, HubOptions options)
    {
        kestrel.AddServerHeader = false;
        foreach (BindUrl url in options.Urls)
        {
            Listen(kestrel, url, listen =>
            {
                Mark(listen, ServedOn.Browser);
                BrowserConnections.Use(listen);
                listen.Protocols = url.IsHttps ? HttpProtocols.Http1AndHttp2 : HttpProtocols.Http1;
                if (url.IsHttps)
                {
                    listen.UseHttps();
                }
            });
        }

        Listen(kestrel, options.AgentUrl, listen =>
        {
            Mark(listen, ServedOn.Agents);
            listen.Protocols = HttpProtocols.Http2;
            if (options.AgentUrl.IsHttps)
            {
                AgentsTls.Use(listen);
            }
        });
    }

    private static void Listen(KestrelServerOptions kestrel, BindUrl url, Action<ListenOptions> configure)
    {
        if (url.Address is { } address)
        {
            kestrel.Listen(address, url.Port, configure);
        }
        else
        {
            kestrel.ListenAnyIP(url.Port, configure);
        }
    }

    private static void Mark(ListenOptions listen, ServedOn port) => listen.Use(next => connection =>
    {
        connection.Features.Set(port);
        return next(connection);
    });

    private static Task RefuseOtherPort(HttpContext context, RequestDelegate next)
    {
        HubPort wanted = (context.GetEndpoint()?.Metadata.GetMetadata<ServedOn>() ?? ServedOn.Browser).Port;
        HubPort came = (context.Features.Get<ServedOn>() ?? ServedOn.Browser).Port;
        if (wanted == came)
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status404NotFound;
        return Task.CompletedTask;
    }
}
