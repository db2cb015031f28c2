using System.Net;
using FailoverHub.Web.Configuration;
using FailoverHub.Web.Data;
using FailoverHub.Web.Tests.Data.Postgres;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;

namespace FailoverHub.Web.Tests.Configuration;

[Trait("Kind", "Hub")]
public sealed class HubCommandLineTests
{
    [Fact]
    public async Task SignInLink_MadeBesideARunningHub_SignsABrowserInOnce()
    {
        await using WholeHub hub = await WholeHub.StartAsync();

        (int code, string output, _) = await RunAsync("sign-in-link", "--data", hub.Data, "--url", "https://hub.example/");

        Assert.Equal(0, code);
        Assert.StartsWith("https://hub.example/sign-in?code=", output, StringComparison.Ordinal);
        using HttpClient browser = hub.Browser();
        using HttpResponseMessage first = await WholeHub.PressSignInAsync(browser, output.Trim().Split('=')[1]);
        Assert.Equal(HttpStatusCode.Redirect, first.StatusCode);
    }

    [Fact]
    public async Task Token_CreatedListedAndRevoked_OpensTheApiOnlyInBetween()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        using HttpClient script = hub.Browser();

        (_, string token, _) = await RunAsync("token", "create", "--name", "ci", "--scope", "read", "--data", hub.Data);
        script.DefaultRequestHeaders.Add("Authorization", $"Bearer {token.Trim()}");
        HttpStatusCode before = (await script.GetAsync("/api/v1/pairs", TestContext.Current.CancellationToken)).StatusCode;
        (_, string list, _) = await RunAsync("token", "list", "--data", hub.Data);
        (int revoked, _, _) = await RunAsync("token", "revoke", "ci", "--data", hub.Data);
        HttpStatusCode after = (await script.GetAsync("/api/v1/pairs", TestContext.Current.CancellationToken)).StatusCode;

        Assert.StartsWith("fh_", token, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, before);
        Assert.Contains("ci", list, StringComparison.Ordinal);
        Assert.DoesNotContain(token.Trim(), list, StringComparison.Ordinal);
        Assert.Equal(0, revoked);
        Assert.Equal(HttpStatusCode.Unauthorized, after);
    }

    [Fact]
    public async Task Token_WithANameThatIsTaken_SaysSoAndEndsWithOne()
    {
        string data = WholeHub.NewFolder();
        await RunAsync("token", "create", "--name", "ci", "--data", data);

        (int code, string output, string error) = await RunAsync("token", "create", "--name", "ci", "--data", data);

        Assert.Equal(1, code);
        Assert.Empty(output);
        Assert.Contains("'ci' already", error, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Revoke_OfATokenThatIsNotThere_SaysSoAndEndsWithOne()
    {
        string data = WholeHub.NewFolder();

        (int code, _, string error) = await RunAsync("token", "revoke", "nobody", "--data", data);

        Assert.Equal(1, code);
        Assert.Contains("no token 'nobody'", error, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Theory]
    [InlineData("token create --name ci")]
    [InlineData("sign-in-link")]
    [InlineData("user create anna --role Viewer")]
    [InlineData("join-token create")]
    [InlineData("backup FILE")]
    public async Task Command_WhenTheDatabaseTakesNothing_SaysWhatToLookAtAndEndsWithOne(string command)
    {
        string data = WholeHub.NewFolder();
        string file = Path.Combine(Path.GetTempPath(), $"backup-{Guid.NewGuid():N}");
        await RunAsync("token", "list", "--data", data);
        await using (ServiceProvider services = new ServiceCollection().AddHubDatabase(data, TestDatabases.For(data)).BuildServiceProvider())
        {
            await using HubDbContext db = await services.GetRequiredService<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
            await db.Database.ExecuteSqlRawAsync(
                TestDatabases.OnPostgres
                    ? """
                      CREATE FUNCTION nothing_more() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'nothing more'; END $$;
                      CREATE TRIGGER "nothing more" BEFORE INSERT ON "Audit" FOR EACH ROW EXECUTE FUNCTION nothing_more()
                      """
                    : """CREATE TRIGGER "nothing more" BEFORE INSERT ON "Audit" BEGIN SELECT RAISE(ABORT, 'nothing more'); END""",
                TestContext.Current.CancellationToken);
        }

        (int code, string output, string error) = await RunAsync([.. command.Split(' ').Select(word => word == "FILE" ? file : word), "--data", data]);

        Assert.Equal((1, ""), (code, output));
        Assert.StartsWith("failoverhub: ", error, StringComparison.Ordinal);
        Assert.Contains("nothing more", error, StringComparison.Ordinal);
        Assert.Single(error.Split('\n', StringSplitOptions.RemoveEmptyEntries));
        Assert.False(File.Exists(file));
        TestDatabases.Release(data);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Command_OfANewerVersionBesideARunningHub_ChangesNoTablesAndSaysToRestartTheHub()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        await using HubDbContext db = await hub.Get<IDbContextFactory<HubDbContext>>().CreateDbContextAsync(TestContext.Current.CancellationToken);
        string newest = db.Database.GetMigrations().Last();
        await db.Database.ExecuteSqlAsync($"""DELETE FROM "__EFMigrationsHistory" WHERE "MigrationId" = {newest}""", TestContext.Current.CancellationToken);

        (int code, string output, string error) = await RunAsync("token", "list", "--data", hub.Data);

        Assert.Equal((1, ""), (code, output));
        Assert.Contains("restart the hub with this version first", error, StringComparison.Ordinal);
        Assert.Equal([newest], await db.Database.GetPendingMigrationsAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task User_MadeBesideARunningHub_SignsInAndIsLockedOutAgain()
    {
        await using WholeHub hub = await WholeHub.StartAsync();
        (int made, string password, string said) = await RunAsync("user", "create", "anna", "--role", "Viewer", "--data", hub.Data);
        (_, _, _) = await RunAsync("user", "create", "boss", "--role", "Admin", "Operator", "--data", hub.Data);
        HttpClient browser = hub.Browser();
        using HttpResponseMessage signedIn = await WholeHub.SendFormAsync(browser, "/sign-in", "/sign-in/password", ("name", "anna"), ("password", password.Trim()));

        (int locked, _, _) = await RunAsync("user", "lock", "anna", "--data", hub.Data);
        using HttpResponseMessage refused = await WholeHub.SendFormAsync(hub.Browser(), "/sign-in", "/sign-in/password", ("name", "anna"), ("password", password.Trim()));
        (_, string list, _) = await RunAsync("user", "list", "--data", hub.Data);
        (int last, _, string error) = await RunAsync("user", "lock", "boss", "--data", hub.Data);
        (int reset, string other, _) = await RunAsync("user", "reset-password", "boss", "--second-factor", "--data", hub.Data);

        Assert.Equal((0, 0, 1, 0), (made, locked, last, reset));
        Assert.Contains("shown once", said, StringComparison.Ordinal);
        Assert.Equal("/sign-in/next", signedIn.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Contains("locked", list, StringComparison.Ordinal);
        Assert.DoesNotContain(password.Trim(), list, StringComparison.Ordinal);
        Assert.Contains("without an admin", error, StringComparison.Ordinal);
        Assert.Equal(20, other.Trim().Length);
    }

    [Fact]
    public async Task User_ThatIsNotThere_IsSaidAndEndsWithOne()
    {
        string data = WholeHub.NewFolder();

        (int code, _, string error) = await RunAsync("user", "lock", "nobody-here", "--data", data);

        Assert.Equal(1, code);
        Assert.Contains("no user 'nobody-here'", error, StringComparison.Ordinal);
        Directory.Delete(data, recursive: true);
    }

    [Fact]
    public async Task Version_IsOneLine()
    {
        (int code, string output, _) = await RunAsync("version");

        Assert.Equal(0, code);
        Assert.Matches(@"^\d+\.\d+\.\d+\S*\n$", output);
    }

    [Theory]
    [InlineData("")]
    [InlineData("run")]
    public async Task Run_WithSettingsThatCannotBe_NamesEachAndEndsWithOne(string command)
    {
        string[] arguments = [.. command.Split(' ', StringSplitOptions.RemoveEmptyEntries), "--agent-url", "http://192.0.2.1:1", "--probe", "smoke"];

        (int code, _, string error) = await RunAsync(arguments);

        Assert.Equal(1, code);
        Assert.Equal(2, error.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static async Task<(int Code, string Output, string Error)> RunAsync(params string[] arguments)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        if (TestDatabases.OnPostgres && Array.IndexOf(arguments, "--data") is >= 0 and int data)
        {
            arguments = [.. arguments, "--database", TestDatabases.For(arguments[data + 1]).ConnectionString!];
        }

        int code = await HubCommandLine.Build(output, error).Parse(arguments).InvokeAsync(cancellationToken: TestContext.Current.CancellationToken);
        return (code, output.ToString(), error.ToString());
    }
}
