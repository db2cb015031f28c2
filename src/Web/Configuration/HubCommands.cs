using System.Globalization;
using FailoverHub.Web.Access;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;
using FailoverHub.Web.Data;
using FailoverHub.Web.History;
using FailoverHub.Web.Operations;

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
        HubOptions options, string name, ApiScope scope, TimeSpan? lifetime, TextWriter output, TextWriter error, CancellationToken cancellationToken) =>
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
            await output.WriteLineAsync($"{"NAME",-24} {"SCOPE",-8} {"CREATED",-20} {"EXPIRES",-20} LAST USED");
            foreach (ApiTokenInfo token in tokens)
            {
                await output.WriteLineAsync($"{token.Name,-24} {ApiScopes.Word(token.Scope),-8} {At(token.CreatedAt),-20} {At(token.ExpiresAt),-20} {At(token.LastUsedAt)}");
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

    public static string SignInUrl(string baseUrl, string code) => $"{baseUrl.TrimEnd('/')}/sign-in?code={code}";

    private static Actor Actor => new($"{Environment.UserName} (command line)", null, null);

    private static string At(DateTimeOffset? at) => at?.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture) ?? "never";

    private static async Task<int> WithServicesAsync(HubOptions options, TextWriter error, Func<IServiceProvider, Task<int>> act, CancellationToken cancellationToken)
    {
        try
        {
            ServiceProvider services = new ServiceCollection()
                .AddSingleton(TimeProvider.System)
                .AddHubDatabase(options.DataDirectory, options.Database)
                .AddSingleton<HistoryChanges>()
                .AddSingleton<AuditLog>()
                .AddSingleton<SignInCodes>()
                .AddSingleton<ApiTokens>()
                .BuildServiceProvider();
            await using (services)
            {
                await HubDatabase.MigrateAsync(services, cancellationToken);
                return await act(services);
            }
        }
        catch (DataFolderException exception)
        {
            await error.WriteLineAsync($"failoverhub: {exception.Message}");
            return 1;
        }
    }
}
