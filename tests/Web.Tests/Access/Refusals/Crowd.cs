using System.Net;
using System.Net.Sockets;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.Time.Testing;

namespace FailoverHub.Web.Tests.Access.Refusals;

/// <summary>Browsers at many addresses of this machine, each on real connections from there: all of 127.0.0.0/8 is loopback.</summary>
internal sealed class Crowd(WholeHub hub) : IDisposable
{
    private readonly List<HttpClient> _browsers = [];

    /// <summary>The address with this number, 0 to 60,000.</summary>
    public static IPAddress Address(int number) => new([127, 7, (byte)(1 + number / 250), (byte)(1 + number % 250)]);

    /// <summary>A browser there, which follows no redirect by itself and keeps cookies.</summary>
    /// <param name="number">Of the address.</param>
    /// <param name="sendsAllCookies">Secure ones too: what is http here is https at the proxy for which this stands.</param>
    public HttpClient At(int number, bool sendsAllCookies = false)
    {
        IPAddress from = Address(number);
        var sockets = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = !sendsAllCookies,
            CookieContainer = new CookieContainer(),
            ConnectCallback = async (context, stop) =>
            {
                var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                try
                {
                    socket.Bind(new IPEndPoint(from, 0));
                    await socket.ConnectAsync(context.DnsEndPoint, stop);
                    return new NetworkStream(socket, ownsSocket: true);
                }
                catch
                {
                    socket.Dispose();
                    throw;
                }
            },
        };
        var browser = new HttpClient(sendsAllCookies ? new EveryCookie(sockets) : sockets)
        {
            BaseAddress = hub.BrowserUrl,
        };
        lock (_browsers)
        {
            _browsers.Add(browser);
        }

        return browser;
    }

    /// <summary>The entries of an action, when one of them tells a number; the clock moves until it does.</summary>
    public async Task<IReadOnlyList<AuditEntry>> ToldAsync(string action, FakeTimeProvider clock)
    {
        while (true)
        {
            IReadOnlyList<AuditEntry> entries = (await hub.Get<IHistory>().AuditAsync(new HistoryFilter { Kind = action }, null, 500, TestContext.Current.CancellationToken)).Items;
            if (entries.Any(IsSum))
            {
                return entries;
            }

            // Whoever tells it may not have begun to wait for the minute's end when the clock moves.
            clock.Advance(FailoverHub.Web.Access.Refusals.RefusalTally.Window);
            await Task.Yield();
        }
    }

    public static bool IsSum(AuditEntry entry) => entry.Outcome.Contains("not written down one by one", StringComparison.Ordinal);

    public void Dispose() => _browsers.ForEach(b => b.Dispose());

    private sealed class EveryCookie(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        private readonly Dictionary<string, string> _jar = new(StringComparer.Ordinal);

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            request.Headers.TryAddWithoutValidation("Cookie", string.Join("; ", _jar.Select(c => $"{c.Key}={c.Value}")));
            HttpResponseMessage answer = await base.SendAsync(request, cancellationToken);
            if (answer.Headers.TryGetValues("Set-Cookie", out IEnumerable<string>? set))
            {
                foreach (string[] pair in set.Select(c => c.Split(';')[0].Split('=', 2)))
                {
                    _jar[pair[0]] = pair[1];
                }
            }

            return answer;
        }
    }
}
