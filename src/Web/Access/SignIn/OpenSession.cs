using System.Security.Claims;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server;

namespace FailoverHub.Web.Access.SignIn;

/// <summary>Who comes with a session needs it open at this moment, not only when the page was loaded. A token has none; it was looked up just now.</summary>
internal sealed class OpenSession : IAuthorizationRequirement;

/// <summary>Asks for it.</summary>
internal sealed class OpenSessionHandler(Sessions sessions) : AuthorizationHandler<OpenSession>
{
    protected override async Task HandleRequirementAsync(AuthorizationHandlerContext context, OpenSession requirement)
    {
        try
        {
            if (AccessPolicies.IsByToken(context.User) || await sessions.IsOpenAsync(context.User, CancellationToken.None))
            {
                context.Succeed(requirement);
            }
        }
        catch (Exception fault) when (context.Resource is not HttpContext && StorageFaults.IsStorageFault(fault))
        {
            // A page asks while the database is away: what is not known grants nothing, and the page lives on. A request is answered by DatabaseAway.
        }
    }
}

/// <summary>
/// Who a circuit belongs to. A circuit makes no requests, so its session is looked up whenever some session ends, and every now and then besides; when
/// its own has ended, the circuit is nobody's. While that cannot be read it is nobody's as well, and his again when it can. One loop for each circuit that belongs to somebody; it
/// ends with the session or the circuit.
/// </summary>
internal sealed partial class CircuitSession : ServerAuthenticationStateProvider, IAsyncDisposable
{
    private static readonly TimeSpan AskAgainAfter = TimeSpan.FromSeconds(1);

    private readonly Sessions _sessions;
    private readonly SessionSignals _signals;
    private readonly TimeProvider _time;
    private readonly ILogger<CircuitSession> _logger;
    private readonly CancellationTokenSource _leaving = new();
    private Task _following = Task.CompletedTask;

    public CircuitSession(Sessions sessions, SessionSignals signals, TimeProvider time, ILogger<CircuitSession> logger)
    {
        (_sessions, _signals, _time, _logger) = (sessions, signals, time, logger);
        AuthenticationStateChanged += Begin;
    }

    /// <summary>The longest that a page goes on showing the present after another process has ended its session.</summary>
    public TimeSpan Every { get; init; } = TimeSpan.FromSeconds(30);

    public async ValueTask DisposeAsync()
    {
        AuthenticationStateChanged -= Begin;
        await _leaving.CancelAsync();
        await _following;
        _leaving.Dispose();
    }

    private void Begin(Task<AuthenticationState> told)
    {
        if (_following.IsCompleted && !_leaving.IsCancellationRequested)
        {
            _following = FollowAsync(told);
        }
    }

    private async Task FollowAsync(Task<AuthenticationState> told)
    {
        try
        {
            // Whoever listens hears who it is before he hears that it is nobody.
            await Task.Yield();
            AuthenticationState his = await told;
            bool isHis = true;
            while (his.User.Identity is { IsAuthenticated: true })
            {
                // Taken before looking, so that nothing that ends meanwhile is missed.
                Task ended = _signals.Next;
                bool? isOpen = await IsOpenAsync(his.User, isNews: isHis);
                if (isOpen is true != isHis)
                {
                    isHis = isOpen is true;
                    SetAuthenticationState(Task.FromResult(isHis ? his : Nobody));
                }

                if (isOpen is false)
                {
                    return;
                }

                await Task.WhenAny(ended, Task.Delay(isOpen is null ? AskAgainAfter : Every, _time, _leaving.Token));
                _leaving.Token.ThrowIfCancellationRequested();
            }
        }
        catch (OperationCanceledException) when (_leaving.IsCancellationRequested)
        {
            // The page was left.
        }
    }

    /// <returns>Null: it cannot be read.</returns>
    private async Task<bool?> IsOpenAsync(ClaimsPrincipal user, bool isNews)
    {
        try
        {
            return await _sessions.IsOpenAsync(user, _leaving.Token);
        }
        catch (Exception fault) when (StorageFaults.IsStorageFault(fault))
        {
            if (isNews)
            {
                LogUnknown(_logger, fault.GetBaseException().Message);
            }

            return null;
        }
    }

    private static AuthenticationState Nobody => new(new ClaimsPrincipal(new ClaimsIdentity()));

    [LoggerMessage(Level = LogLevel.Error, Message = "Whether a session is still open cannot be read ({Why}); its page shows and does nothing until it can")]
    private static partial void LogUnknown(ILogger logger, string why);
}
