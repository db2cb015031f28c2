using System.Linq.Expressions;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;

namespace FailoverHub.Web.Data;

/// <summary>SQLite's LIKE does not see the case of letters; PostgreSQL's does, and has ILIKE for that. The stores write Like and mean the former.</summary>
internal sealed class LikeIgnoresCase : ExpressionVisitor, IQueryExpressionInterceptor
{
    public Expression QueryCompilationStarting(Expression queryExpression, QueryExpressionEventData eventData) => Visit(queryExpression);

    protected override Expression VisitMethodCall(MethodCallExpression node)
    {
        if (node.Method.DeclaringType == typeof(DbFunctionsExtensions) && node.Method.Name == nameof(DbFunctionsExtensions.Like))
        {
            return Expression.Call(typeof(NpgsqlDbFunctionsExtensions), nameof(NpgsqlDbFunctionsExtensions.ILike), null, [.. node.Arguments.Select(Visit)!]);
        }

        return base.VisitMethodCall(node);
    }
}
