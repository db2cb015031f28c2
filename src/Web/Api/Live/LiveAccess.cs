using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Access.Tokens;

namespace FailoverHub.Web.Api.Live;

/// <summary>A stream asks for leave when it begins; this asks again while it lasts, so that a revoked token or a closed session sees nothing more.</summary>
internal sealed class LiveAccess(ApiTokens tokens, Sessions sessions, TimeProvider time)
{
    private const string Bearer = "Bearer ";

    /// <summary>The longest that somebody goes on seeing what is no longer theirs to see.</summary>
    public static readonly TimeSpan Every = TimeSpan.FromSeconds(30);

    /// <summary>Cancels the stream when its caller may no longer read. Ends when it is cancelled.</summary>
    public async Task EndWhenRefusedAsync(HttpContext? http, CancellationTokenSource stream)
    {
        using var timer = new PeriodicTimer(Every, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stream.Token))
            {
                if (!await IsAllowedAsync(http, stream.Token))
                {
                    await stream.CancelAsync();
                }
            }
        }
        catch (OperationCanceledException) when (stream.IsCancellationRequested)
        {
            // The stream has ended.
        }
    }

    private async Task<bool> IsAllowedAsync(HttpContext? http, CancellationToken cancellationToken)
    {
        if (http is null)
        {
            return false;
        }

        string header = http.Request.Headers.Authorization.ToString();
        return header.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase)
            ? await tokens.AuthenticateAsync(header[Bearer.Length..].Trim(), cancellationToken) is not null
            : await sessions.IsOpenAsync(http.User, cancellationToken);
    }
}
