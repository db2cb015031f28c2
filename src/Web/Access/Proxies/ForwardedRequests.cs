using System.Collections.Immutable;
using System.Net;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.History;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace FailoverHub.Web.Access.Proxies;

/// <summary>What a request said about whom it is for, before anything of it was believed.</summary>
/// <param name="Header">X-Forwarded-For as it came, cut.</param>
/// <param name="Peer">Who is at the other end of the connection.</param>
internal sealed record ForwardedClaim(string Header, IPAddress? Peer);

/// <summary>
/// For whom a proxy asks. Of a trusted proxy the headers X-Forwarded-For, -Proto and -Host are believed, from the last entry of the chain to the first that no trusted proxy
/// has written; limits, audit, Secure cookies and HSTS go by that. Of anybody else they are kept for the audit and mean nothing. The agents' port knows no proxies: who
/// calls there is known by a certificate.
/// </summary>
internal static partial class ForwardedRequests
{
    /// <summary>What a caller claims must not fill the database; in characters.</summary>
    public const int LongestClaim = 150;

    // Proxies behind one another. Each of them has to be trusted, so this only ends a chain that is a mistake.
    private const int MostHops = 10;

    public static void Add(IServiceCollection services)
    {
        // ASPNETCORE_FORWARDEDHEADERS_ENABLED makes ASP.NET believe these headers of everybody, before any middleware of ours.
        services.PostConfigure<ForwardedHeadersOptions>(everybody => everybody.ForwardedHeaders = ForwardedHeaders.None);
        services.AddHsts(_ => { });
    }

    /// <summary>First of all: everything behind it sees the request as the browser made it.</summary>
    public static void Use(WebApplication app, ImmutableArray<IPNetwork> trusted)
    {
        var hint = new Hint(app.Services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ForwardedRequests).FullName!), trusted);
        app.UseWhen(context => context.Features.Get<ServedOn>() is not { Port: HubPort.Agents }, browser =>
        {
            browser.Use((context, next) =>
            {
                string header = context.Request.Headers["X-Forwarded-For"].ToString();
                if (header.Length > 0)
                {
                    context.Features.Set(new ForwardedClaim(Cut.To(AsList(header), LongestClaim), context.Connection.RemoteIpAddress));
                    hint.Look(context.Connection.RemoteIpAddress);
                }

                return next(context);
            });
            if (!trusted.IsEmpty)
            {
                browser.UseMiddleware<ForwardedHeadersMiddleware>(Options.Create(OptionsFor(trusted)));
            }

            browser.UseHsts();
        });
    }

    /// <summary>Pure. Whether one of them is this address.</summary>
    public static bool IsTrusted(ImmutableArray<IPNetwork> trusted, IPAddress? address) =>
        address is not null && (address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address) is var plain && trusted.Any(network => network.Contains(plain));

    /// <summary>Pure. "a, b": no blank is left that could make it look like what the hub itself says, "… via ADDRESS".</summary>
    private static string AsList(string header) => string.Concat(header.Where(c => !char.IsWhiteSpace(c))).Replace(",", ", ", StringComparison.Ordinal);

    private static ForwardedHeadersOptions OptionsFor(ImmutableArray<IPNetwork> trusted)
    {
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto | ForwardedHeaders.XForwardedHost,
            ForwardLimit = MostHops,
        };

        // Loopback is trusted by itself there; here it is when it is named.
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (IPNetwork network in trusted)
        {
            options.KnownIPNetworks.Add(network);
        }

        return options;
    }

    /// <summary>Tells once that there seems to be a proxy which nobody has named.</summary>
    private sealed partial class Hint(ILogger logger, ImmutableArray<IPNetwork> trusted)
    {
        private int _told;

        public void Look(IPAddress? peer)
        {
            if (Volatile.Read(ref _told) == 0 && !IsTrusted(trusted, peer) && Interlocked.Exchange(ref _told, 1) == 0)
            {
                LogUntrusted(logger, peer, HubSettings.TrustedProxiesKey);
            }
        }

        [LoggerMessage(Level = LogLevel.Information, Message = "A request from {Peer} says for whom it was forwarded, and is not believed: the audit keeps it, limits go by the peer. If that is your proxy, name it with {Key}. Told once")]
        private static partial void LogUntrusted(ILogger logger, IPAddress? peer, string key);
    }
}
