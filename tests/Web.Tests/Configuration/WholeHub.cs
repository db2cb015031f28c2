using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Provider;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Fleet;
using FailoverHub.Web.Operations;
using FailoverHub.Web.Reachability;
using FailoverHub.Web.Tests.Components.Fakes;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Identity;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Configuration;

/// <summary>The whole hub on real ports with a real database; only the fleet, operations and the prober are a test's own.</summary>
internal sealed partial class WholeHub : IAsyncDisposable
{
    public static readonly Actor Tester = new("tester", null, null) { Rights = Rights.All, Behind = new Requester.Machine() };

    private readonly List<HttpClient> _clients = [];
    private bool _keepsData;

    private WholeHub(WebApplication app, HubOptions options, string data)
    {
        App = app;
        Options = options;
        Data = data;
        Uri[] bound = [.. app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Select(a => new Uri(a))];
        BrowserUrl = bound[0];
        AgentUrl = bound[^1];
    }

    public WebApplication App { get; }

    public HubOptions Options { get; }

    public string Data { get; }

    public Uri BrowserUrl { get; }

    public Uri AgentUrl { get; }

    public FakeFleet Fleet => (FakeFleet)Get<IFleetView>();

    public FakeOperations Operations => (FakeOperations)Get<IOperations>();

    public FakeReachability Reachability => (FakeReachability)Get<IReachability>();

    public T Get<T>()
        where T : notnull => App.Services.GetRequiredService<T>();

    public static HubOptions OptionsFor(string data, string urls = "http://127.0.0.1:0", string agentUrl = "http://127.0.0.1:0") =>
        HubOptions.Parse(new HubSettings(urls, agentUrl, data, "icmp")).Options! with { Database = TestDatabases.For(data) };

    public static string NewFolder() => Directory.CreateTempSubdirectory("hub-test-").FullName;

    public static async Task<WholeHub> StartAsync(Action<WebApplicationBuilder>? configure = null, string? data = null, ProviderOptions? provider = null, int port = 0, string agentUrl = "http://127.0.0.1:0", Func<HubOptions, HubOptions>? with = null, bool keepsData = false)
    {
        string folder = data ?? NewFolder();
        HubOptions options = OptionsFor(folder, $"http://127.0.0.1:{port}", agentUrl) with { Provider = provider };
        options = with?.Invoke(options) ?? options;
        WebApplication app = HubApplication.Build(options, builder =>
        {
            builder.Services.AddSingleton<IFleetView, FakeFleet>();
            builder.Services.AddSingleton<IOperations, FakeOperations>();
            builder.Services.AddSingleton<IReachability, FakeReachability>();
            builder.Services.AddSingleton(p => (IProbedTargets)p.GetRequiredService<IReachability>());

            // As slow as passwords deserve they would be a third of the time of these tests; AccountTests looks at the number itself.
            builder.Services.PostConfigure<PasswordHasherOptions>(hasher => hasher.IterationCount = 1_000);
            configure?.Invoke(builder);
        });
        await app.StartAsync(TestContext.Current.CancellationToken);
        return new WholeHub(app, options, folder) { _keepsData = keepsData };
    }

    /// <summary>For <see cref="StartAsync"/>: the real fleet and operations behind the real agents' port.</summary>
    public static void WithRealOperations(WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<IFleetView>(p => p.GetRequiredService<FleetStore>());
        builder.Services.AddSingleton<IOperations>(p => p.GetRequiredService<OperationDesk>());
    }

    /// <summary>Waits until the real fleet is so; the bound only ends a test that hangs.</summary>
    public async Task<FleetSnapshot> UntilAsync(Func<FleetSnapshot, bool> holds)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        return (await Get<FleetStore>().WaitUntilAsync(s => holds(s.Snapshot), safety.Token)).Snapshot;
    }

    /// <summary>Waits until the operation has ended.</summary>
    public async Task<OperationView> EndedAsync(string id)
    {
        using var safety = CancellationTokenSource.CreateLinkedTokenSource(TestContext.Current.CancellationToken);
        safety.CancelAfter(TimeSpan.FromSeconds(60));
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(safety.Token);
        await using IAsyncEnumerator<OperationView> changes = Get<IOperations>().WatchAsync(stop.Token).GetAsyncEnumerator(stop.Token);
        ValueTask<bool> next = changes.MoveNextAsync();
        if (await Get<IOperations>().FindAsync(id, safety.Token) is { IsFinished: true } already)
        {
            await stop.CancelAsync();
            await next;
            return already;
        }

        while (await next)
        {
            if (changes.Current is { IsFinished: true } ended && ended.Id == id)
            {
                return ended;
            }

            next = changes.MoveNextAsync();
        }

        throw new TimeoutException("The operation did not end.");
    }

    /// <summary>A browser that follows no redirect by itself and keeps cookies.</summary>
    public HttpClient Browser(CookieContainer? cookies = null)
    {
        var handler = new SocketsHttpHandler { AllowAutoRedirect = false, CookieContainer = cookies ?? new CookieContainer(), UseCookies = true };
        return Keep(new HttpClient(handler) { BaseAddress = BrowserUrl });
    }

    public async Task<HttpClient> ScriptAsync(ApiScope scope)
    {
        HttpClient client = Browser();
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", await TokenAsync($"t-{Guid.NewGuid():N}", scope));
        return client;
    }

    public async Task<string> TokenAsync(string name, ApiScope scope, TimeSpan? lifetime = null) =>
        (await Get<ApiTokens>().CreateAsync(name, scope, lifetime ?? ApiTokens.DefaultLifetime, Tester, TestContext.Current.CancellationToken)).Token!;

    public async Task<HttpClient> SignedInAsync()
    {
        HttpClient browser = Browser();
        using HttpResponseMessage answer = await PressSignInAsync(browser, await Get<SignInCodes>().CreateAsync(Tester, TestContext.Current.CancellationToken));
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        return browser;
    }

    /// <summary>What a person does with a link: open it, press the button.</summary>
    public static async Task<HttpResponseMessage> PressSignInAsync(HttpClient browser, string code, string returnUrl = "/")
    {
        string page = await browser.GetStringAsync($"/sign-in?code={code}&returnUrl={Uri.EscapeDataString(returnUrl)}", TestContext.Current.CancellationToken);
        Dictionary<string, string> fields = HiddenField().Matches(page).ToDictionary(m => m.Groups[1].Value, m => WebUtility.HtmlDecode(m.Groups[2].Value));
        using var form = new FormUrlEncodedContent(fields);
        return await browser.PostAsync("/sign-in", form, TestContext.Current.CancellationToken);
    }

    /// <summary>What the menu's button does; the form's token comes from another page of the same browser.</summary>
    public static async Task<HttpResponseMessage> PressSignOutAsync(HttpClient browser)
    {
        string page = await browser.GetStringAsync("/sign-in?code=none", TestContext.Current.CancellationToken);
        using var form = new FormUrlEncodedContent(HiddenField().Matches(page).Select(m => KeyValuePair.Create(m.Groups[1].Value, WebUtility.HtmlDecode(m.Groups[2].Value))));
        return await browser.PostAsync("/sign-out", form, TestContext.Current.CancellationToken);
    }

    /// <summary>Opens a page, fills its form in and sends it: hidden fields as they are, the others as given.</summary>
    public static async Task<HttpResponseMessage> SendFormAsync(HttpClient browser, string page, string action, params (string Name, string Value)[] typed)
    {
        string html = await (await browser.GetAsync(page, TestContext.Current.CancellationToken)).Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Dictionary<string, string> fields = [];
        foreach (Match field in HiddenField().Matches(html))
        {
            fields[field.Groups[1].Value] = WebUtility.HtmlDecode(field.Groups[2].Value);
        }

        foreach ((string name, string value) in typed)
        {
            fields[name] = value;
        }

        using var form = new FormUrlEncodedContent(fields);
        return await browser.PostAsync(action, form, TestContext.Current.CancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _clients.ForEach(c => c.Dispose());
        await App.StopAsync(CancellationToken.None);
        await App.DisposeAsync();
        if (!_keepsData)
        {
            TestDatabases.Release(Data);
            Directory.Delete(Data, recursive: true);
        }
    }

    private HttpClient Keep(HttpClient client)
    {
        _clients.Add(client);
        return client;
    }

    [GeneratedRegex("<input type=\"hidden\" name=\"([^\"]+)\" value=\"([^\"]*)\">")]
    private static partial Regex HiddenField();
}
