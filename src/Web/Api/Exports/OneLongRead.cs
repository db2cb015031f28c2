using System.Globalization;
using FailoverHub.Web.History;

namespace FailoverHub.Web.Api.Exports;

/// <summary>On what walks over the whole past: it has a place until the answer is written, or its reader has gone; or it is refused with 429.</summary>
internal sealed class OneLongRead(LongReads reads) : IEndpointFilter
{
    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        HttpContext http = context.HttpContext;
        if (reads.TryBegin(http.User.Identity?.Name ?? "", out string why) is not { } place)
        {
            http.Response.Headers.RetryAfter = LongReads.ComeAgainAfter.TotalSeconds.ToString("0", CultureInfo.InvariantCulture);
            return TypedResults.Problem(why, statusCode: StatusCodes.Status429TooManyRequests, title: "Too many at once");
        }

        // The answer is written after this returns; the request ends with it.
        http.Response.RegisterForDispose(place);
        return await next(context);
    }
}
