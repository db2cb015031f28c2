using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Tests.Configuration;
using FailoverHub.Web.Tests.Identity;
using Microsoft.AspNetCore.SignalR.Client;

namespace FailoverHub.Web.Tests.Access;

/// <summary>Somebody who asks the running hub, with what proves who that is: the cookie of a real sign-in, or a real token.</summary>
/// <param name="Who">As <see cref="AccessTable"/> calls it: a role, a scope; or what opens nothing.</param>
/// <param name="Client">Asks from an address of its own, so that one's limit is not another's.</param>
/// <param name="Cookies">Of a browser; null: a script.</param>
/// <param name="Token">Of a script; null: a browser.</param>
internal sealed record Asker(string Who, HttpClient Client, CookieContainer? Cookies, string? Token) : IDisposable
{
    /// <summary>Has proof of who it is that opens nothing (any more), or none.</summary>
    public bool IsNobody => !HubRoles.All.Contains(Who) && ApiScopes.Parse(Who) is null;

    public HubConnection Connect(Uri hub) => new HubConnectionBuilder().WithUrl(hub, options =>
    {
        if (Cookies is not null)
        {
            options.Cookies = Cookies;
        }

        options.AccessTokenProvider = Token is null ? null : () => Task.FromResult<string?>(Token);
    }).Build();

    public void Dispose() => Client.Dispose();
}

/// <summary>Everybody who may ask: somebody of each role, a token of each scope, and what opens nothing.</summary>
internal static class Askers
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <param name="hub">The hub.</param>
    /// <param name="time">Its clock, so that a token and a session have expired; null: it goes by the real one, and nobody waits for that.</param>
    public static async Task<List<Asker>> AllAsync(WholeHub hub, LeapingTime? time = null)
    {
        var all = new List<Asker>();
        if (time is not null)
        {
            all.Add(Script(hub, all, "token that has expired", await hub.TokenAsync("expired", ApiScope.Admin, TimeSpan.FromDays(1))));
            await AccountTests.CreateAsync(hub, "away", HubRoles.Admin);
            all.Add(await BrowserAsync(hub, all, "session that has expired", "away"));
            time.Advance(TimeSpan.FromDays(8));
        }

        all.Add(Script(hub, all, "nobody", null));
        all.Add(Script(hub, all, "token that was revoked", await hub.TokenAsync("revoked", ApiScope.Admin)));
        await hub.Get<ApiTokens>().RevokeAsync("revoked", WholeHub.Tester, Stop);
        foreach (string role in HubRoles.All)
        {
            await AccountTests.CreateAsync(hub, $"one-{role}", role);
            all.Add(await BrowserAsync(hub, all, role, $"one-{role}"));
        }

        foreach (ApiScope scope in Enum.GetValues<ApiScope>())
        {
            all.Add(Script(hub, all, ApiScopes.Word(scope), await hub.TokenAsync(ApiScopes.Word(scope), scope)));
        }

        await AccountTests.CreateAsync(hub, "locked", HubRoles.Admin);
        all.Add(await BrowserAsync(hub, all, "user that was locked", "locked"));
        await hub.Get<Accounts>().LockAsync(await AccountTests.FindAsync(hub, "locked"), WholeHub.Tester, Stop);

        await AccountTests.CreateAsync(hub, "gone", HubRoles.Admin);
        Asker gone = await BrowserAsync(hub, all, "cookie of a session that was signed out", "gone");
        all.Add(gone);
        CookieContainer kept = Copy(gone.Cookies!, hub.BrowserUrl);
        (await WholeHub.PressSignOutAsync(gone.Client)).Dispose();
        all[^1] = gone with { Client = Client(hub, all.Count, kept), Cookies = kept };
        return all;
    }

    private static Asker Script(WholeHub hub, List<Asker> before, string who, string? token)
    {
        HttpClient client = Client(hub, before.Count + 1, null);
        client.DefaultRequestHeaders.Authorization = token is null ? null : new AuthenticationHeaderValue("Bearer", token);
        return new Asker(who, client, null, token);
    }

    private static async Task<Asker> BrowserAsync(WholeHub hub, List<Asker> before, string who, string account)
    {
        var cookies = new CookieContainer();
        HttpClient client = Client(hub, before.Count + 1, cookies);
        using HttpResponseMessage answer = await AccountTests.SignInAsync(client, account);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return new Asker(who, client, cookies, null);
    }

    /// <summary>Each asks from its own address of the loopback network.</summary>
    private static HttpClient Client(WholeHub hub, int number, CookieContainer? cookies)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = cookies is not null, MaxConnectionsPerServer = 4 };
        if (cookies is not null)
        {
            handler.CookieContainer = cookies;
        }

        handler.ConnectCallback = async (context, stop) =>
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                socket.Bind(new IPEndPoint(new IPAddress([127, 0, 1, (byte)number]), 0));
                await socket.ConnectAsync(context.DnsEndPoint, stop);
                return new NetworkStream(socket, ownsSocket: true);
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        };
        return new HttpClient(handler) { BaseAddress = hub.BrowserUrl };
    }

    private static CookieContainer Copy(CookieContainer cookies, Uri of)
    {
        var copy = new CookieContainer();
        foreach (Cookie cookie in cookies.GetCookies(of))
        {
            copy.Add(of, new Cookie(cookie.Name, cookie.Value, "/"));
        }

        return copy;
    }
}
