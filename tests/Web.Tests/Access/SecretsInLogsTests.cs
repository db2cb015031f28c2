using System.Collections.Concurrent;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SecondFactor;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.History;
using FailoverHub.Web.Tests.Configuration;
using Microsoft.Extensions.Logging;
using static FailoverHub.Web.Tests.Access.AccountTests;

namespace FailoverHub.Web.Tests.Access;

/// <summary>What stands in log and audit may be read by more people than may sign in.</summary>
[Trait("Kind", "Hub")]
public sealed class SecretsInLogsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task LogAtItsMostTalkativeAndTheAudit_HaveNoSecretOfAnybody()
    {
        using var log = new Everything();
        await using WholeHub hub = await WholeHub.StartAsync(builder =>
        {
            builder.Logging.AddProvider(log);
            builder.Logging.SetMinimumLevel(LogLevel.Trace);
            builder.Logging.AddFilter<Everything>(null, LogLevel.Trace);
        });
        string link = await hub.Get<SignInCodes>().CreateAsync(WholeHub.Tester, Stop);
        (await WholeHub.PressSignInAsync(hub.Browser(), link)).Dispose();
        string temporary = (await hub.Get<Accounts>().CreateAsync("anna", [HubRoles.Viewer], null, false, WholeHub.Tester, Stop)).Secret!;
        HttpClient browser = hub.Browser();
        (await SignInAsync(browser, "anna", temporary)).Dispose();
        const string chosen = "correct horse battery";
        (await WholeHub.SendFormAsync(browser, "/sign-in/next", "/sign-in/next", ("password", chosen), ("again", chosen))).Dispose();
        string secret = TimeCodes.NewSecret();
        string codes = (await hub.Get<OwnAccount>().AddAuthenticatorAsync(await FindAsync(hub, "anna"), null, secret, TimeCodes.CodeAt(secret, DateTimeOffset.UtcNow), WholeHub.Tester, Stop)).Secret!;
        (await SignInAsync(hub.Browser(), "anna", "a wrong password")).Dispose();
        string token = await hub.TokenAsync("ci", ApiScope.Read);
        HttpClient script = hub.Browser();
        script.DefaultRequestHeaders.Add("Authorization", $"Bearer {token}");
        (await script.GetAsync("/api/v1/pairs", Stop)).Dispose();

        string audit = string.Join('\n', (await hub.Get<IHistory>().AuditAsync(new HistoryFilter(), null, 100, Stop)).Items.Select(entry => entry.ToString()));
        string[] lines = [.. log.Lines];

        Assert.NotEmpty(lines);
        foreach (string hidden in (string[])[temporary, chosen, "a wrong password", secret, token, .. codes.Split('\n')])
        {
            Assert.DoesNotContain(lines, line => line.Contains(hidden, StringComparison.Ordinal));
            Assert.DoesNotContain(hidden, audit, StringComparison.Ordinal);
        }

        // The framework writes the address of a request at a level that the hub does not log; the link's code is used up by then.
        Assert.DoesNotContain(lines, line => line.Contains(link, StringComparison.Ordinal) && !line.StartsWith("Microsoft.", StringComparison.Ordinal));
        Assert.DoesNotContain(link, audit, StringComparison.Ordinal);
    }

    private sealed class Everything : ILoggerProvider
    {
        public ConcurrentQueue<string> Lines { get; } = new();

        public ILogger CreateLogger(string categoryName) => new One(categoryName, Lines);

        public void Dispose()
        {
        }

        private sealed class One(string category, ConcurrentQueue<string> lines) : ILogger
        {
            public IDisposable? BeginScope<TState>(TState state)
                where TState : notnull => null;

            public bool IsEnabled(LogLevel logLevel) => true;

            public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
                lines.Enqueue($"{category}: {formatter(state, exception)} {exception}");
        }
    }
}
