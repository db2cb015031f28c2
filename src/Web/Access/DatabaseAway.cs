using System.Globalization;
using FailoverHub.Web.Access.SignIn;
using FailoverHub.Web.Data;
using Microsoft.AspNetCore.Diagnostics;

namespace FailoverHub.Web.Access;

/// <summary>
/// Answers a request that the database kept from being answered: already who asks is looked up there. Whoever asks is told to come again and not that the hub is broken, and the log tells it once
/// in a while and not with a stack trace for each request, of which a dashboard and its scripts send many a second. A fault that does not pass is a defect, and stays one.
/// </summary>
internal sealed partial class DatabaseAway(TimeProvider time, ILogger<DatabaseAway> logger) : IExceptionHandler
{
    /// <summary>When it is worth asking again.</summary>
    public static readonly TimeSpan ComeAgainAfter = TimeSpan.FromSeconds(5);

    private static readonly TimeSpan ToldEvery = TimeSpan.FromMinutes(1);

    private readonly Lock _gate = new();
    private long? _toldAt;

    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (!StorageFaults.IsAway(exception))
        {
            return false;
        }

        if (IsNews())
        {
            LogAway(logger, exception.GetBaseException().Message, ToldEvery.TotalMinutes);
        }

        httpContext.Response.Headers.RetryAfter = ComeAgainAfter.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
        IResult answer = httpContext.Request.Headers.Accept.ToString().Contains("text/html", StringComparison.OrdinalIgnoreCase)
            ? SignInForm.Html(SignInPage.DatabaseAway, StatusCodes.Status503ServiceUnavailable)
            : TypedResults.Problem(
                "The hub's database cannot be read or written now, so the hub does not know who asks or what was. The nodes go on without it. Try again in a few seconds; the hub's log says why.",
                statusCode: StatusCodes.Status503ServiceUnavailable,
                title: "The database is away");
        await answer.ExecuteAsync(httpContext);
        return true;
    }

    private bool IsNews()
    {
        lock (_gate)
        {
            if (_toldAt is { } told && time.GetElapsedTime(told) < ToldEvery)
            {
                return false;
            }

            _toldAt = time.GetTimestamp();
            return true;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The database cannot be read or written ({Why}): requests are answered with 503 until it can. Told once in {Minutes} minute")]
    private static partial void LogAway(ILogger logger, string why, double minutes);
}
