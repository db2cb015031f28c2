using System.Globalization;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.Refusals;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Access.Users;
using FailoverHub.Web.Data;
using FailoverHub.Web.Data.Backup;
using FailoverHub.Web.History;
using FailoverHub.Web.History.Checkpoints;
using FailoverHub.Web.History.Retention;
using FailoverHub.Web.Identity;
using FailoverHub.Web.Operations;
using Microsoft.Extensions.Hosting.Internal;

namespace FailoverHub.Web.Configuration;

/// <summary>
/// Commands that work on the data folder, whether the hub runs or not: whoever may write there is trusted with it. They print to
/// `output`; the exit code is 0 when done.
/// </summary>
internal static class HubCommands
{
    public static Task<int> SignInLinkAsync(HubOptions options, string? url, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            string code = await services.GetRequiredService<SignInCodes>().CreateAsync(Actor, cancellationToken);
            await output.WriteLineAsync(SignInUrl(url ?? options.Urls[0].ToString(), code));
            return 0;
        }, cancellationToken);

    public static Task<int> CreateTokenAsync(
        HubOptions options, string name, ApiScope scope, TimeSpan lifetime, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            TokenCreation made = await services.GetRequiredService<ApiTokens>().CreateAsync(name, scope, lifetime, Actor, cancellationToken);
            await (made.Token is null ? error : output).WriteLineAsync(made.Token ?? $"failoverhub: {made.Problem}");
            return made.Token is null ? 1 : 0;
        }, cancellationToken);

    public static Task<int> ListTokensAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            IReadOnlyList<ApiTokenInfo> tokens = await services.GetRequiredService<ApiTokens>().ListAsync(cancellationToken);
            await output.WriteLineAsync($"{"NAME",-24} {"SCOPE",-8} {"CREATED",-20} {"EXPIRES",-20} {"LAST USED",-20} OWNER");
            foreach (ApiTokenInfo token in tokens)
            {
                await output.WriteLineAsync($"{token.Name,-24} {ApiScopes.Word(token.Scope),-8} {At(token.CreatedAt),-20} {At(token.ExpiresAt),-20} {At(token.LastUsedAt),-20} {token.Owner}");
            }

            return 0;
        }, cancellationToken);

    public static Task<int> RevokeTokenAsync(HubOptions options, string name, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            bool revoked = await services.GetRequiredService<ApiTokens>().RevokeAsync(name, Actor, cancellationToken);
            await (revoked ? output : error).WriteLineAsync(revoked
                ? $"Token '{name}' is revoked: it opens nothing from now on."
                : $"failoverhub: there is no token '{name}'. `failoverhub token list` shows those that there are.");
            return revoked ? 0 : 1;
        }, cancellationToken);

    public static Task<int> ListUsersAsync(HubOptions options, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            await output.WriteLineAsync($"{"NAME",-24} {"ROLES",-32} {"STATE",-14} {"SECOND FACTOR",-24} LAST SIGN-IN");
            foreach (AccountView account in await services.GetRequiredService<Accounts>().ListAsync(cancellationToken))
            {
                string factor = string.Join(", ", new[] { account.HasAuthenticator ? "authenticator" : null, account.Passkeys > 0 ? $"passkeys: {account.Passkeys}" : null }.OfType<string>());
                string state = account.IsLocked ? "locked" : account.LockedOutUntil is not null ? "locked out" : "open";
                await output.WriteLineAsync($"{account.Name,-24} {string.Join(", ", account.Roles),-32} {state,-14} {(factor.Length == 0 ? "none" : factor),-24} {At(account.LastSignInAt)}");
            }

            return 0;
        }, cancellationToken);

    public static Task<int> CreateUserAsync(HubOptions options, string name, IReadOnlyCollection<string> roles, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services => await TellAsync(
            await services.GetRequiredService<Accounts>().CreateAsync(name, roles, null, onlyAsFirst: false, Actor, cancellationToken),
            $"User '{name}' is made. The password below is shown once, and has to be replaced at the first sign-in.", output, error), cancellationToken);

    public static Task<int> ResetPasswordAsync(HubOptions options, string name, bool withSecondFactor, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithUserAsync(options, name, output, error, "The new password is shown once, and has to be replaced at the next sign-in. Every browser of the user is signed out.",
            (accounts, account) => accounts.ResetPasswordAsync(account, withSecondFactor, Actor, cancellationToken), cancellationToken);

    public static Task<int> LockUserAsync(HubOptions options, string name, bool locked, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithUserAsync(options, name, output, error, locked ? $"User '{name}' is locked; open pages close within half a minute." : $"User '{name}' may sign in again.",
            (accounts, account) => locked ? accounts.LockAsync(account, Actor, cancellationToken) : accounts.UnlockAsync(account, Actor, cancellationToken), cancellationToken);

    public static Task<int> SetRolesAsync(HubOptions options, string name, IReadOnlyCollection<string> roles, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
        WithUserAsync(options, name, output, error, $"User '{name}' has the roles {string.Join(", ", roles)}, and signs in again.",
            (accounts, account) => accounts.SetRolesAsync(account, roles, Actor, cancellationToken), cancellationToken);

    public static string SignInUrl(string baseUrl, string code) => $"{baseUrl.TrimEnd('/')}/sign-in?code={code}";

    // Whoever may write the data folder can do anything to the hub anyway.
    internal static Actor Actor => new($"{Environment.UserName} (command line)", null, null) { Rights = Rights.All, Behind = new Requester.Machine() };

    internal static string At(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never";

    private static Task<int> WithUserAsync(
        HubOptions options, string name, TextWriter output, TextWriter error, string done, Func<Accounts, AccountView, Task<AccountResult>> act, CancellationToken cancellationToken) =>
        WithServicesAsync(options, error, async services =>
        {
            var accounts = services.GetRequiredService<Accounts>();
            if (await accounts.FindAsync(name, cancellationToken) is { } account)
            {
                return await TellAsync(await act(accounts, account), done, output, error);
            }

            await error.WriteLineAsync($"failoverhub: there is no user '{name}'. `failoverhub user list` shows those that there are.");
            return 1;
        }, cancellationToken);

    // What is said goes to standard error where a secret follows, so that scripts read the secret alone.
    private static async Task<int> TellAsync(AccountResult result, string done, TextWriter output, TextWriter error)
    {
        if (!result.Succeeded)
        {
            await error.WriteLineAsync($"failoverhub: {result.Problem}");
            return 1;
        }

        await (result.Secret is null ? output : error).WriteLineAsync(done);
        if (result.Secret is { } secret)
        {
            await output.WriteLineAsync(secret);
        }

        return 0;
    }

    internal static async Task<int> WithServicesAsync(HubOptions options, TextWriter error, Func<IServiceProvider, Task<int>> act, CancellationToken cancellationToken)
    {
        try
        {
            ServiceProvider services = new ServiceCollection()
                .AddSingleton(TimeProvider.System)
                .AddHubDatabase(options.DataDirectory, options.Database)
                .AddSingleton<HistoryChanges>()
                .AddSingleton<AuditLog>()
                .AddAccessAudit()
                .AddAuditCheckpoints()
                .AddSingleton<RetentionSettings>()
                .AddSingleton<HubBackup>()
                .AddSingleton<SignInCodes>()
                .AddSingleton<ApiTokens>()
                .AddHubAccounts()
                .AddLogging()
                .AddSingleton<IHostApplicationLifetime, ApplicationLifetime>()
                .AddSingleton<HubIdentity>()
                .AddSingleton<JoinTokens>()
                .BuildServiceProvider();
            await using (services)
            {
                await HubDatabase.MigrateForCommandAsync(services, cancellationToken);
                return await OnStorageAsync(services, error, act);
            }
        }
        catch (Exception exception) when (exception is DataFolderException or IdentityException)
        {
            await error.WriteLineAsync($"failoverhub: {exception.Message}");
            return 1;
        }
    }

    // Whoever types a command can do something about the disk or the server, and nothing about a stack trace.
    private static async Task<int> OnStorageAsync(ServiceProvider services, TextWriter error, Func<IServiceProvider, Task<int>> act)
    {
        try
        {
            return await act(services);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            await error.WriteLineAsync($"failoverhub: {HubDatabase.Describe(services, fault)} The command was not carried out.");
            return 1;
        }
    }
}
