using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using FailoverHub.Web.Api.Operations;
using FailoverHub.Web.Data.Requests;
using FailoverHub.Web.Data;

namespace FailoverHub.Web.Api.Repeats;

/// <summary>The answer of such a call has a secret in it, which is stored nowhere but as its hash, so it is never given again. A token that nobody got expires by itself; asking again makes another.</summary>
internal sealed class AnsweredOnce;

/// <summary>
/// `Idempotency-Key` on POST: a script that got no answer sends the same again, and gets the answer to the first one; nothing is done twice, also when the hub was
/// restarted in between. A key belongs to the token that sent it, and is kept for a day; not where the answer is to come again later.
/// </summary>
internal sealed partial class IdempotencyKey(RequestKeys keys, ILogger<IdempotencyKey> logger) : IMiddleware
{
    public const string Header = "Idempotency-Key";
    public const string ReplayedHeader = "Idempotency-Replayed";
    public const int LongestKey = 255;

    // Larger than any body that the API takes.
    private const int MaximumBytes = 1024 * 1024;

    public async Task InvokeAsync(HttpContext context, RequestDelegate next)
    {
        HttpRequest request = context.Request;
        if (!HttpMethods.IsPost(request.Method) || !request.Path.StartsWithSegments("/api") || !request.Headers.TryGetValue(Header, out var given))
        {
            await next(context);
            return;
        }

        if (context.GetEndpoint()?.Metadata.GetMetadata<AnsweredOnce>() is not null)
        {
            await ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { [Header] = "The secret in this answer is never stored, so it cannot be given again. Send the request without the key." }).ExecuteAsync(context);
            return;
        }

        if (given.Count != 1 || given[0] is not { Length: > 0 and <= LongestKey } key || key.Any(c => c is < ' ' or > '~'))
        {
            await ApiProblems.Malformed(StatusCodes.Status400BadRequest, new Dictionary<string, string> { [Header] = $"Write 1 to {LongestKey} visible ASCII characters, once." }).ExecuteAsync(context);
            return;
        }

        if (await HashAsync(request, context.RequestAborted) is not { } hash)
        {
            await ApiProblems.Malformed(StatusCodes.Status413PayloadTooLarge, new Dictionary<string, string> { ["$"] = "The body is too large, or it ended before it was complete." }).ExecuteAsync(context);
            return;
        }

        string caller = context.User.Identity?.Name ?? "nobody";
        using IDisposable turn = await keys.TakeTurnAsync(caller, key, context.RequestAborted);
        if (await keys.FindAsync(caller, key, context.RequestAborted) is { } known)
        {
            await AnswerAgainAsync(context, known, hash);
            return;
        }

        var repeatable = new RepeatableRequest(caller, key, hash);
        context.Features.Set(repeatable);
        KeptAnswer answer = await CaptureAsync(context, next);
        if (repeatable.Written)
        {
            await KeepAsync(caller, key, IsForLater(context.Response) ? null : answer);
        }

        await WriteAsync(context, answer);
    }

    // Refused for now, and the audit entry of that has the key. Whoever does as he is told and comes again later shall not be told the same for a day. After a fault
    // of the hub's it is not known that nothing was done.
    private static bool IsForLater(HttpResponse response) => response is { StatusCode: >= 400 and < 500, Headers.RetryAfter.Count: > 0 };

    private async Task KeepAsync(string caller, string key, KeptAnswer? answer)
    {
        try
        {
            // Whoever asked may have gone away: it is for them that the answer is kept.
            await (answer is null ? keys.ForgetAsync(caller, key, CancellationToken.None) : keys.KeepAsync(caller, key, answer, CancellationToken.None));
        }
        catch (Exception exception) when (StorageFaults.IsStorageFault(exception))
        {
            LogNotKept(logger, caller, exception);
        }
    }

    private static async Task AnswerAgainAsync(HttpContext context, KnownRequest known, string hash)
    {
        if (known.RequestHash != hash)
        {
            await TypedResults.Problem(
                $"This key was sent with another request at {known.At.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss", CultureInfo.InvariantCulture)} UTC. Make a new key for a new request; send the same body for the same one.",
                statusCode: StatusCodes.Status422UnprocessableEntity,
                title: "The Idempotency-Key belongs to another request").ExecuteAsync(context);
            return;
        }

        context.Response.Headers[ReplayedHeader] = "true";
        if (known.Answer is { } answer)
        {
            await WriteAsync(context, answer);
        }
        else if (known.OperationId is { } operation)
        {
            await TypedResults.Accepted($"/api/v1/operations/{operation}", new OperationAcceptedDto(operation)).ExecuteAsync(context);
        }
        else
        {
            await TypedResults.Problem(
                "The hub was restarted before it had answered. What was done stands in the audit; send it with a new key only when it is not there.",
                statusCode: StatusCodes.Status409Conflict,
                title: "The request was dealt with, and its answer is lost").ExecuteAsync(context);
        }
    }

    /// <summary>Null: it is too large, or incomplete.</summary>
    private static async Task<string?> HashAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        request.EnableBuffering(MaximumBytes, MaximumBytes);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(Encoding.UTF8.GetBytes($"{request.Method} {request.Path}{request.QueryString}\n{request.Headers.IfMatch}\n"));
        var buffer = new byte[16 * 1024];
        try
        {
            for (int read = await request.Body.ReadAsync(buffer, cancellationToken); read > 0; read = await request.Body.ReadAsync(buffer, cancellationToken))
            {
                hash.AppendData(buffer, 0, read);
            }
        }
        catch (IOException)
        {
            return null;
        }

        request.Body.Position = 0;
        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    private static async Task<KeptAnswer> CaptureAsync(HttpContext context, RequestDelegate next)
    {
        Stream wire = context.Response.Body;
        using var held = new MemoryStream();
        context.Response.Body = held;
        try
        {
            await next(context);
        }
        finally
        {
            context.Response.Body = wire;
        }

        HttpResponse response = context.Response;
        return new KeptAnswer(response.StatusCode, response.ContentType, Only(response.Headers.Location), Only(response.Headers.ETag), Encoding.UTF8.GetString(held.ToArray()));
    }

    private static string? Only(Microsoft.Extensions.Primitives.StringValues header) => header.Count > 0 ? header.ToString() : null;

    private static async Task WriteAsync(HttpContext context, KeptAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        context.Response.ContentType = answer.ContentType;
        if (answer.Location is not null)
        {
            context.Response.Headers.Location = answer.Location;
        }

        if (answer.Etag is not null)
        {
            context.Response.Headers.ETag = answer.Etag;
        }

        if (answer.Body.Length > 0)
        {
            await context.Response.WriteAsync(answer.Body, context.RequestAborted);
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "The answer to a request of {Caller} could not be kept; when it is sent again it is not done again, but answered with less")]
    private static partial void LogNotKept(ILogger logger, string caller, Exception exception);
}
